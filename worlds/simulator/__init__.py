import logging

# robosuite greets every process that imports it with warnings about optional parts that are not used here; its errors still come through.
logging.getLogger("robosuite_logs").addFilter(lambda record: record.levelno >= logging.ERROR)
