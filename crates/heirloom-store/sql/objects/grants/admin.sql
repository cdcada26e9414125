-- What the administering role may do: keep tokens and the tree of workspaces; no memory of anybody's. A login that serves
-- gets it where tokens are made over HTTP; the owner needs no grant.

grant usage on schema heirloom to heirloom_admin;
grant select, insert, update on heirloom.token to heirloom_admin;
grant select, insert, update, delete on heirloom.workspace to heirloom_admin;
