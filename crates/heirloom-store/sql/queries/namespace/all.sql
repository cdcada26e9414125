-- Every namespace that holds a memory, by name; asked as the auditing role, which sees all.
select n.name from unnest(heirloom.namespaces_in_sight()) n(name) order by 1
