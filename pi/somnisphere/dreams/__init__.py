"""Dreams, rewoven: a bad dream told by day becomes a short story with another ending, if its teller wants that.

What this does is a household's version of imagery rehearsal: a dream is told, changed awake, and the changed one is
gone through again. For adults with nightmare disorder that is recommended (Morgenthaler et al., J Clin Sleep Med
2018, 14(6):1041-1055, AASM position paper); for children of 9 to 11 years there is one small trial. It treats
nothing and claims nothing. Nobody is asked for dreams here, for asking daily can feed them: the page waits to be
opened.

Pure: time is an argument, and nothing here reads or writes.
"""
