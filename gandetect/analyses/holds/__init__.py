"""Which detector holds on every group of images, as they are and processed?"""
