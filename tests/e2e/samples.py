"""Inputs that several tests send."""

import gzip

DESIGN = "DDEIERIIKKLLKRGVDPDEVKEILRKKGVDPKEIEKLLKDLKLESSGGS"
OTHER = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
POOR = "GSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGS"
SHORT = "MKV"
LINES = f"{OTHER}\n{DESIGN}\n{POOR}\n{SHORT}\n".encode()
FASTA = f">other\n{OTHER}\n>design\n{DESIGN[:25]}\n{DESIGN[25:]}\n>poor\n{POOR}\n>short\n{SHORT}\n".encode()
CSV = f"id,sequence,note\nother,{OTHER},b\ndesign,{DESIGN},a\npoor,{POOR},c\nshort,{SHORT},d\n".encode()
GZIP = gzip.compress(LINES, mtime=0)
OPEN = {"threshold": "-1000"}

ABSTRACT = (
    "We compute the cross section for the production of photon pairs in hadron collisions at next-to-leading order "
    "in perturbative QCD and compare it with measurements at the Large Hadron Collider."
)
