"""Elasticities from measurements: rows of resources and accuracy in, γ with its interval out.

>>> import fairsynergy as fs
>>> found = fs.curves.fit([30, 60, 120, 240, 480], [0.40, 0.47, 0.57, 0.66, 0.79], resources=["labels"])
>>> found.elasticity.round(3), found.interval.round(3)
(array([0.245]), array([[0.228, 0.261]]))
"""

from __future__ import annotations

from fairsynergy.curves.fitting import Concern as Concern
from fairsynergy.curves.fitting import Fit as Fit
from fairsynergy.curves.fitting import Note as Note
from fairsynergy.curves.fitting import fit as fit
from fairsynergy.curves.shapes import Alternative as Alternative
from fairsynergy.curves.shapes import Shape as Shape
from fairsynergy.curves.tables import Curve as Curve
from fairsynergy.curves.tables import read_curves as read_curves
from fairsynergy.curves.tables import read_folder as read_folder
