"""One module a scenario: what a process does with a store while it is killed or failed.

A scenario has
- ``prepare(root)``: what is there before; runs unharmed;
- ``steps(root)``: a generator that yields a word after each thing it has finished (and so
  acknowledged); runs under fire;
- ``holds(store, done)``: asserts that everything acknowledged is there; *done* are the words;
- optional ``REPAIR = True``: damage is part of the scene, a check may find it until repaired;
- optional ``restarted(root)``: what another start of the machine changes, after the fault;
- optional ``DURABILITY``: the durability that the checks afterwards open the store with.

Steps must be repeatable: after a fault they are run again, unharmed, to the end.
"""
