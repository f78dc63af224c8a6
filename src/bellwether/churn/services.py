"""What others use of churn risk: training, predicting, the version in use."""

from bellwether.churn.predicting import predict_clients
from bellwether.churn.versions import ActiveModel, NotUsableError, active_model, roll_back

__all__ = ["ActiveModel", "NotUsableError", "active_model", "predict_clients", "roll_back"]
