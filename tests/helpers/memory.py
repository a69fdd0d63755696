"""How much memory a process of its own took at most."""

PEAK = """
def peak():
    \"\"\"Return this process's peak in MiB; Linux carries the parent's over into ru_maxrss.\"\"\"
    import pathlib, resource
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
"""
