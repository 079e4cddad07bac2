# leat.bash - completion of leat's command line in bash. Install as /usr/share/bash-completion/completions/leat.
# Options and settings come from `leat --help`, so this file does not change with them.

_leat() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words

	COMPREPLY=()
	case $previous in
	-c | --config | --access-log | --migrations)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	migrate)
		words='up status redo down'
		;;
	check)
		words='database'
		;;
	--log-json)
		words='on off'
		;;
	--log-level)
		words='error warn info debug'
		;;
	--set)
		words=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n '/^Settings:/,$ s/^  --\([a-z-]*\) .*/\1=/p' | tr - _)
		compopt -o nospace
		;;
	*)
		if [[ $current == -* ]]; then
			words=$("${COMP_WORDS[0]}" --help 2>/dev/null | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
		else
			words='serve check config routes migrate'
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _leat leat
