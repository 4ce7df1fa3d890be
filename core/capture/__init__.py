"""Cameras and microphones on one clock; files and network addresses behave the same.

`session.Session` opens a choice of sources and gives every picture and every block of sound, stamped with
`items.now`, to its listeners and its recorder. `rings` shares both with other processes.
"""
