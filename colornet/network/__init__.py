"""The networks, and their files (paper, 3).

vgg16_weights, layers, vgg16, networks, objectives, decoding, parameters, saved
"""
