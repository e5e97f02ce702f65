# SPDX-License-Identifier: MIT
"""For the checks: two places have the same names."""


def both_ways(what, here, there, where_here, where_there):
    """A sentence for each name that one of the two sets lacks."""
    return [f"{what} {name} is in {where} but not in {other}"
            for names, where, other in ((here - there, where_here, where_there), (there - here, where_there, where_here))
            for name in sorted(names)]
