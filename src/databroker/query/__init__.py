"""Questions about runs: what they are made of, how they are written, what they mean.

Written as text, keywords and dictionaries (`parse`) or as objects (`keys`, `shorthands`,
`classic`), they are `nodes`; `evaluate` says what each means, `wire` is their JSON.
"""
