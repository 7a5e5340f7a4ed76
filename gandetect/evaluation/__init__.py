"""Numbers over several studies: sweeps, ablations, generators left out."""
