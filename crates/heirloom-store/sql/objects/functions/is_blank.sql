-- Whether a text is nothing but white space, as Rust's `trim` and the constraint memory_content_check mean it.

create or replace function heirloom.is_blank(content text) returns boolean
language sql
immutable
parallel safe
return btrim(
    content,
    E'\t\n\u000b\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
) = '';
