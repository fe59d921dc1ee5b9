"""One command in a root file system, confined: what a RUN step of a build needs.

`run` is the door. A fresh process enters namespaces of its own, always a user namespace
among them; its first process there mounts the root file system, starts the command through
an OCI runtime found on the machine or by itself, and dies, all else with it, when the
command or the process that asked for it does. Linux only.
"""
