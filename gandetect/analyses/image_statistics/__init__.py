"""How do the images of the sources differ in their pixels: frequencies, grey levels, means?"""
