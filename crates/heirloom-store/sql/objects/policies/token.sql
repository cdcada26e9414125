-- Nobody but the owner, even where a right was granted by mistake: heirloom.authenticate asks for the others.
-- Not forced: the owner writes it, and nobody else may.

alter table heirloom.token enable row level security;
