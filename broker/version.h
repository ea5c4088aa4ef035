/*  version - of the broker; CMakeLists.txt defines TOCSIN_VERSION from its project (). */
#ifndef BROKER_VERSION_H
#define BROKER_VERSION_H

#ifndef TOCSIN_VERSION
#error "TOCSIN_VERSION is defined by the build"
#endif

#endif
