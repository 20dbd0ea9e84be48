"""How the stager's weights are made and judged.

Needs scikit-learn (``pip install 'somnisphere[train]'``); the daemon never does.
"""
