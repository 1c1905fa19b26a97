"""What a training keeps while it runs, so that a kill at any moment loses nothing that is finished."""
