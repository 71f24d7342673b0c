"""The least a Streamlit page can do: one slider and one line of text, with the collector frozen.

`fairsynergy bench dashboard` serves it beside the dashboard, for what the machine and Streamlit take by themselves.
"""

import gc

import streamlit as st


@st.cache_resource(show_spinner=False)
def settle() -> None:
    gc.collect()
    gc.freeze()


n = st.slider("n", 0, 1000, 0, key="n")
with st.container(key="text"):
    st.text(f"n = {n}")
settle()
