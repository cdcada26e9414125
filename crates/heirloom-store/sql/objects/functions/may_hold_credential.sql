-- Whether a text may hold a credential: the first look, which clean rows pass. Without a search_path of its own, so
-- that a trigger's condition takes it in and calls nothing. Two patterns, because long runs counted beside
-- prefixes take twice the time of both. Generated from the rules in src/redact; `just bless` writes it again.

create or replace function heirloom.may_hold_credential(said text) returns boolean
language sql
immutable
parallel safe
return
    said operator(pg_catalog.~) '(?:[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Pp][Aa][Ss][Ss][Ww][Dd]|[Pp][Aa][Ss][Ss][Pp][Hh][Rr][Aa][Ss][Ee]|[Pp][Ww][Dd]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Kk][Ee][Yy])["''`\\]*[ \t]*[:=]|(?:[Bb]earer|BEARER)[ \t]|-----BEGIN [A-Z0-9 ]*PRIVATE KEY|//[^ @/:]*:[^ @/]+@|ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|vc_|A[KS]IA[A-Z0-9]|pplx-|(?:^|[^A-Za-z0-9_-])sk-|ctx7_|xox[a-z]-|xapp-|hooks[.]slack[.]com/|AIza|[.]eyJ|glpat-|k_live_|k_test_|whsec_|npm_|pypi-|(?:[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Pp][Aa][Ss][Ss][Ww][Dd]|[Pp][Aa][Ss][Ss][Pp][Hh][Rr][Aa][Ss][Ee])[ \t]'
    or said operator(pg_catalog.~) '[A-Za-z0-9+/]{33}';
