"""Everything a page needs in one load: {% load gatehouse %}."""

from django import template

from portal.core.templatetags import blocks, editors, figures, frame, plans, states, times

register = template.Library()

for part in (blocks, editors, figures, frame, plans, states, times):
    register.tags.update(part.register.tags)
    register.filters.update(part.register.filters)
