// Owner of the precompiled header that all torch targets share.
