-- Nobody but the owner: heirloom.idempotent_begin and heirloom.idempotent_finish ask for the others.
-- Not forced: the owner writes it, and nobody else may.

alter table heirloom.idempotency enable row level security;
