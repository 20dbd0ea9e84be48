"""The evening ritual: phases, fades, stories. Pure; standard library only."""
