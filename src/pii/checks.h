/* SPDX-License-Identifier: Apache-2.0 */
/* Check digits. Digits are numbers 0 … 9, not characters. */
#ifndef LICHEN_PII_CHECKS_H
#define LICHEN_PII_CHECKS_H

#include "base/types.h"

/* ISO/IEC 7812-1 annex B: the last digit is the check digit. */
bool check_luhn(const u8 *digits, size_t count) MUST_CHECK;
/* J. Verhoeff, Error Detecting Decimal Codes, 1969: the last digit is the check digit. */
bool check_verhoeff(const u8 *digits, size_t count) MUST_CHECK;
/* ISO 7064 MOD 97-10 over an IBAN of upper-case letters and digits, its first four characters moved to the end. */
bool check_iban(const char *iban, size_t size) MUST_CHECK;
/* The sum of digits by weights, modulo. */
unsigned check_weighted(const u8 *digits, const u8 *weights, size_t count, unsigned modulus) MUST_CHECK;
/* A Base58Check text of a Bitcoin address: 25 bytes, a version that is known (0, 5), and its checksum. */
bool check_base58(const u8 *text, size_t size) MUST_CHECK;
/* A segwit address of Bitcoin's main or test network: Bech32 (BIP 173) for version 0, Bech32m (BIP 350) for others. */
bool check_bech32(const u8 *text, size_t size) MUST_CHECK;
/* Forty hexadecimal digits of an Ethereum address: of one case, or with the case that ERC-55 gives them. */
bool check_ethereum(const u8 *hex) MUST_CHECK;

#endif
