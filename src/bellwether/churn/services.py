"""What others use of churn risk: training, predicting, the version in use, putting another one into use."""

from bellwether.churn.predicting import predict_clients
from bellwether.churn.training import Trained, TrainingBusyError, train, training
from bellwether.churn.versions import ActiveModel, NotUsableError, active_model, roll_back

__all__ = [
    "ActiveModel",
    "NotUsableError",
    "Trained",
    "TrainingBusyError",
    "active_model",
    "predict_clients",
    "roll_back",
    "train",
    "training",
]
