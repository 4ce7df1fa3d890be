"""Ratings of clips by people: a project, its store, who may see what, how far raters agree, and exports.

Light on purpose, for the window reads it: no torch, no model. What listens to sound is in `cutting`,
which only the command line and workers import.
"""
