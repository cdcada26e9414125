-- Which states a lesson may go to: nineteen pairs. A view of constants: nobody adds a way by writing into it.

create or replace view pgmnemo.agent_lesson_state_transition
with (security_invoker = true)
as
select t.from_state, t.to_state
from (
    values
        ('draft', 'candidate'),
        ('draft', 'rejected'),
        ('draft', 'validated'),
        ('candidate', 'conflicted'),
        ('candidate', 'rejected'),
        ('candidate', 'validated'),
        ('validated', 'canonical'),
        ('validated', 'draft'),
        ('validated', 'rejected'),
        ('canonical', 'archived'),
        ('canonical', 'conflicted'),
        ('canonical', 'deprecated'),
        ('canonical', 'superseded'),
        ('deprecated', 'archived'),
        ('deprecated', 'canonical'),
        ('superseded', 'archived'),
        ('conflicted', 'archived'),
        ('conflicted', 'canonical'),
        ('conflicted', 'rejected')
) t (from_state, to_state);
