"""python -m models.scripted --port P"""

from models import serving
from models.scripted.server import ScriptedModel

serving.serve(ScriptedModel(), serving.arguments("a model for tests").parse_args().port)
