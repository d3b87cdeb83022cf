"""An example of a site whose sessions and pages are kept by Hazelcast."""
