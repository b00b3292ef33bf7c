//! Points at which there is no derivative, or several: what is taken is what PyTorch documents.
