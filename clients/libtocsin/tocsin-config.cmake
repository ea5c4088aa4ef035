# find_package(tocsin) gives the target tocsin::tocsin.
include("${CMAKE_CURRENT_LIST_DIR}/tocsin-targets.cmake")
