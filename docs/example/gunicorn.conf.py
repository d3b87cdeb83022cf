"""Two workers that are forked from one loaded site."""

preload_app = True
workers = 2
