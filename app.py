"""The dashboard: `fairsynergy app`, or `streamlit run app.py`. Pages are in pages/, their frame in the package."""

from fairsynergy.ui import frame

frame.enter()
