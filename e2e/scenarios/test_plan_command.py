"""`fairway plan` and `fairway capture`: what would be done and for whom, live and from files, and nothing is written."""
