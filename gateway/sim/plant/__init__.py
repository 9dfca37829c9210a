"""Pure models of a site's equipment: advanced by `step(dt_s)`, repeatable from a seed, no clock and no I/O."""
