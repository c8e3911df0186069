"""What each gate asks: one module a gate, with one function `judge` that answers with a Verdict.

The notebooks in `notebooks/gates` call these and show what they answer; `pipelines/promotion.toml`
has the order and the thresholds. Worst case: what each of them says.
"""
