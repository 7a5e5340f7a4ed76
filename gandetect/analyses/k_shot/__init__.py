"""How many labelled images does a new source need?"""
