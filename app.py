"""The dashboard: `fairsynergy app`, or `streamlit run app.py`. The pages are in pages/, what frames them in the package."""

from fairsynergy.ui import frame

frame.enter()
