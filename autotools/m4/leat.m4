# leat.m4 - the checks of configure.ac.

# LEAT_NEED_LIBRARY(VARIABLE, header, function, libs, Debian package)
AC_DEFUN([LEAT_NEED_LIBRARY], [
	AC_CHECK_HEADER([$2], [], [LEAT_MISSING([$2], [$5])])
	leat_save_LIBS=$LIBS
	LIBS="$4 $LIBS"
	AC_MSG_CHECKING([for $3 in $4])
	AC_LINK_IFELSE([AC_LANG_CALL([], [$3])], [AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 LEAT_MISSING([$4], [$5])])
	LIBS=$leat_save_LIBS
	AC_SUBST([$1][_LIBS], ["$4"])
])

# LEAT_NEED_PACKAGE(VARIABLE, pkg-config module, Debian package)
AC_DEFUN([LEAT_NEED_PACKAGE], [PKG_CHECK_MODULES([$1], [$2], [], [LEAT_MISSING([$2], [$3])])])

AC_DEFUN([LEAT_MISSING], [AC_MSG_ERROR([$1 was not found; on Debian: apt-get install $2])])

# The warnings that this compiler knows.
AC_DEFUN([LEAT_WARNINGS], [
	LEAT_CFLAGS=
	leat_save_CFLAGS=$CFLAGS
	for leat_flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
		-Wvla -Wformat=2 -Wno-format-nonliteral -Wundef -fno-common -fstack-clash-protection -ftls-model=initial-exec; do
		CFLAGS="$leat_save_CFLAGS $leat_flag -Werror"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [LEAT_CFLAGS="$LEAT_CFLAGS $leat_flag"])
	done
	CFLAGS=$leat_save_CFLAGS
])
