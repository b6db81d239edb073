"""python -m models.extractive --port P --embeddings-url http://127.0.0.1:…/v1"""

from models import serving
from models.extractive.embeddings import Embeddings
from models.extractive.server import ExtractiveModel

parser = serving.arguments("a chat model that answers with sentences of its sources")
parser.add_argument("--embeddings-url", required=True)
given = parser.parse_args()
serving.serve(ExtractiveModel(Embeddings(given.embeddings_url)).application, given.port)
