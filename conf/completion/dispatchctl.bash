# SPDX-License-Identifier: MIT
# Bash completion for dispatchctl. dispatchctl itself knows what can come next, including customer
# numbers; the beginning of a name is completed to its number.

_dispatchctl()
{
	local cur prev words cword line
	if declare -F _get_comp_words_by_ref > /dev/null; then
		_get_comp_words_by_ref -n := cur prev words cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}
	fi
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:files)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "${cur#--*=}")
			return ;;
		*) COMPREPLY+=("$line") ;;
		esac
	done < <("${words[0]}" --complete "${words[@]:1:cword}" 2> /dev/null)
	# A single "1001  Example Bakery" is the number; several are shown with their names.
	if [ ${#COMPREPLY[@]} -eq 1 ]; then
		COMPREPLY[0]=${COMPREPLY[0]%%  *}
	elif [[ ${COMPREPLY[0]-} == *"  "* && ${COMPREPLY[0]} != "$cur"* ]]; then
		COMPREPLY+=("") # what was typed stays until only one is left
	fi
	if declare -F __ltrim_colon_completions > /dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}
complete -F _dispatchctl dispatchctl
