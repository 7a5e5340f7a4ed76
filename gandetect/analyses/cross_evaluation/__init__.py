"""Every detector against every source."""
