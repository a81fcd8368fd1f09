// libcrypto's headers, seen with the same feature macro as CLinux: two modules that describe one system structure
// differently cannot meet in a program.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <openssl/evp.h>
#include <openssl/rand.h>
#endif
