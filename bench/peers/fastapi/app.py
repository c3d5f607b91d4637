"""The tutorial's task API: `handler` for Lambda."""
import settings

settings.load()

from fastapi import FastAPI
from mangum import Mangum

from tasks import router

app = FastAPI(title="Task API")
app.include_router(router, prefix="/api")

# No lifespan events: the app has nothing to start or stop.
handler = Mangum(app, lifespan="off")
