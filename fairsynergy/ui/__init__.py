"""The dashboard's parts; the only place in the package that imports streamlit."""
