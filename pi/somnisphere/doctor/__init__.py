"""What is wrong with this box, part by part, and how to mend it: one file per area, read by the command and the setup.

``finding.py`` is the answer's shape; ``examine.py`` the order in which things are to be mended. Each ``check_...``
takes the configuration and yields findings: it looks, and leaves nothing behind.
"""
