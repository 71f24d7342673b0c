"""Elasticities from measurements: rows of resources and accuracy in, γ with its interval out.

>>> import fairsynergy as fs
>>> found = fs.curves.fit([30, 60, 120, 240, 480], [0.40, 0.47, 0.57, 0.66, 0.79], resources=["labels"])
>>> found.elasticity.round(3), found.interval.round(3)
(array([0.245]), array([[0.228, 0.261]]))
"""

from __future__ import annotations

from fairsynergy.curves._fitting import Concern as Concern
from fairsynergy.curves._fitting import Fit as Fit
from fairsynergy.curves._fitting import Note as Note
from fairsynergy.curves._fitting import fit as fit
from fairsynergy.curves._shapes import Alternative as Alternative
from fairsynergy.curves._shapes import Shape as Shape
from fairsynergy.curves._tables import Curve as Curve
from fairsynergy.curves._tables import read_curves as read_curves
from fairsynergy.curves._tables import read_folder as read_folder
