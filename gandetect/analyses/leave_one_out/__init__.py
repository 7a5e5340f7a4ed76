"""What is caught of a generator that was kept from the detector?"""
