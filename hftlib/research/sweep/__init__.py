"""Sweeps: one strategy over its tapes with many parameters; `hft.sweep`, `hft.trials_of`.

sweeping.py   hft.sweep: what is asked, what is left to do, and the trials
space.py      which parameters: a grid, chance           guided.py   ... or Optuna's choice
trying.py     one trial: its runs, figures, P&L          reruns.py   memory used again
on_threads.py, on_ray.py      where trials run
folder.py     what a sweep leaves on disk, and goes on from
swept.py      the sweep as it is looked at: frames, pictures, plateaus
"""
