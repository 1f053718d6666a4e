"""The chart, installed by helm: operator and agents run as pods, under permissions of their own."""
